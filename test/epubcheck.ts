import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from './programs.ts'

/** All that epubcheck has to say of a file, notes of usage included; empty where it is content. */
export function epubcheck(path: string): readonly string[] {
  const program = findProgram('epubcheck') ?? ''
  // Some systems install the archive itself as the program.
  const archive = readFileSync(program).toString('latin1', 0, 2) === 'PK'
  const [command, first]: [string, string[]] = archive ? ['java', ['-jar', program]] : [program, []]
  const dir = mkdtempSync(join(tmpdir(), 'trawl-epubcheck-'))
  const report = join(dir, 'report.json')
  writeFileSync(report, '{}')
  try {
    execFileSync(command, [...first, path, '--json', report], { stdio: 'pipe' })
  } catch {
    // Its status says no more than the report.
  }
  const { messages }: { messages: { ID: string; severity: string; message: string }[] } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  rmSync(dir, { recursive: true, force: true })
  return messages.map(({ ID, severity, message }) => `${severity} ${ID}: ${message}`)
}
