const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const imfFixdate = /^[a-z]{3}, (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const rfc850 = /^[a-z]{6,9}, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const asctime = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i

/**
 * An HTTP date (RFC 9110, 5.6.7) in any of its three forms, as milliseconds since 1970; undefined for anything
 * else. The two-digit years of the obsolete form lie between 1970 and 2069.
 */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = text.trim()
  let match = imfFixdate.exec(value)
  if (match) return date(match[3], match[2], match[1], match.slice(4, 7))
  match = rfc850.exec(value)
  if (match) {
    const year = Number(match[3])
    return date(String(year < 70 ? 2000 + year : 1900 + year), match[2], match[1], match.slice(4, 7))
  }
  match = asctime.exec(value)
  return match ? date(match[6], match[1], match[2], match.slice(3, 6)) : undefined
}

function date(
  year: string | undefined,
  monthName: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const month = months.indexOf((monthName ?? '').toLowerCase())
  const [hours, minutes, seconds] = time.map(Number)
  if (month < 0 || hours === undefined || minutes === undefined || seconds === undefined) return undefined
  if (hours > 23 || minutes > 59 || seconds > 60) return undefined
  const ms = Date.UTC(Number(year), month, Number(day), hours, minutes, seconds)
  return new Date(ms).getUTCMonth() === month ? ms : undefined
}
