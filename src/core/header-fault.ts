const ofConnection = 'belongs to the connection, which trawl sees to itself'
const ofRanges = 'is set by trawl itself: with yours, a part would pass for the whole file'

const own: ReadonlyMap<string, string> = new Map([
  ['connection', ofConnection],
  ['content-length', ofConnection],
  ['keep-alive', ofConnection],
  ['te', ofConnection],
  ['transfer-encoding', ofConnection],
  ['upgrade', ofConnection],
  ['expect', ofConnection],
  ['range', ofRanges],
  ['if-range', ofRanges],
])

// No control characters: nothing that could end a line (RFC 9110, 5.5).
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000a-\u001f\u007f]/

/**
 * Why a header cannot be sent with requests for files, as a phrase that begins with its name; undefined where it can.
 * The name is in lower case.
 */
export function headerFault(name: string, value: string): string | undefined {
  const why = own.get(name)
  if (why !== undefined) return `${name} ${why}`
  return control.test(value) ? `${name} has a control character` : undefined
}
