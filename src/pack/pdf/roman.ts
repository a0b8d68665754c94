const romanDigits = Object.entries({
  M: 1000,
  CM: 900,
  D: 500,
  CD: 400,
  C: 100,
  XC: 90,
  L: 50,
  XL: 40,
  X: 10,
  IX: 9,
  V: 5,
  IV: 4,
  I: 1,
})

/** A number as capital roman digits; thousands are repeated letters. */
export function toRoman(number: number): string {
  let rest = number
  let out = ''
  for (const [letters, value] of romanDigits) {
    while (rest >= value) {
      out += letters
      rest -= value
    }
  }
  return out
}

/** The value of capital roman digits; 0 where it is no roman number up to 3999. */
export function fromRoman(text: string): number {
  if (!/^M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})$/.test(text)) return 0
  let number = 0
  let rest = text
  for (const [letters, value] of romanDigits) {
    while (rest.startsWith(letters)) {
      number += value
      rest = rest.slice(letters.length)
    }
  }
  return number
}
