import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Contender, UrlList } from '../../contender.ts'
import { findProgram } from '../../program.ts'

/** A Python script that takes a list and a folder. */
export interface PythonPeer {
  readonly name: string
  readonly script: string
  /** Modules it needs; the first one's version is shown. */
  readonly modules: readonly string[]
}

/** The script as a contender; undefined where Python (TRAWL_BENCH_PYTHON, else python3) or a module is missing. */
export function pythonPeer(peer: PythonPeer, list: UrlList): Contender | undefined {
  const program = process.env['TRAWL_BENCH_PYTHON'] ?? findProgram('python3')
  if (program === undefined) return undefined
  const [first] = peer.modules
  const question = `import ${peer.modules.join(', ')}, platform
from importlib.metadata import version
print('${first}', version('${first}'), 'on Python', platform.python_version())`
  const answer = spawnSync(program, ['-c', question], { encoding: 'utf8', timeout: 60_000 })
  if (answer.status !== 0) return undefined
  return {
    name: peer.name,
    version: answer.stdout.trim(),
    command: (folder) => ({ program, args: [join(import.meta.dirname, peer.script), list.path, folder] }),
  }
}
