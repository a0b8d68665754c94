/** ASCII in which no component ends in a dot or a space. */
const plain = /^(?:[!-\-/-~]|[ .]+(?=[^ ./]))*$/

/**
 * The key under which two relative paths are the same file on a file system that ignores case, composition of
 * letters, and trailing dots and spaces (APFS, HFS+, NTFS, exFAT, SMB). It folds rather too much than too little:
 * a collision that is none on this machine costs only a number in a name.
 */
export function nameKey(path: string): string {
  if (plain.test(path)) return path.toLowerCase()
  return path.split('/').map(componentKey).join('/')
}

function componentKey(component: string): string {
  let end = component.length
  while (end > 0 && (component.charCodeAt(end - 1) === 0x2e || component.charCodeAt(end - 1) === 0x20)) end--
  // Lower, upper, lower: some letters meet others only on the way (U+1E9E, U+00DF and "ss").
  const folded = component.slice(0, end).normalize('NFD').toLowerCase().toUpperCase().toLowerCase()
  return folded.normalize('NFC')
}
