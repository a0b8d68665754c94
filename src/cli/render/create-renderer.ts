import type { Clock } from '../../core/index.ts'
import { createJsonRenderer } from './json-renderer.ts'
import { createPlainRenderer } from './plain-renderer.ts'
import type { Output, Renderer, Terminal } from './renderer.ts'
import { colourStyle, plainStyle } from './style.ts'
import { createTerminalRenderer } from './terminal-renderer.ts'

/** What the user asked for: `--json`, `--quiet`, `--verbose`, `--progress`. */
export interface RenderOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  readonly progress: 'auto' | 'live' | 'plain' | 'none'
}

/** Where a renderer stands. */
export interface RenderSurroundings {
  readonly stdout: Output
  readonly stderr: Terminal & { readonly isTerminal: boolean }
  /** Of the environment, `NO_COLOR` and `TERM` are read. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

/**
 * The renderer that fits: people read standard error, programs standard output. `--json` gives JSON lines, and
 * failures for people beside them; `--quiet` gives failures only; a screen that can move its cursor gets live lines,
 * everything else plain ones.
 */
export function createRenderer(options: RenderOptions, surroundings: RenderSurroundings): Renderer {
  const { stderr, stdout, clock, env } = surroundings
  const canMove = stderr.isTerminal && env['TERM'] !== 'dumb'
  const style = canMove && (env['NO_COLOR'] ?? '') === '' ? colourStyle : plainStyle
  const plain = { output: stderr, clock, style, verbose: options.verbose }
  if (options.json) {
    return combine([
      createJsonRenderer({ output: stdout, clock }),
      createPlainRenderer({ ...plain, tells: 'failures' }),
    ])
  }
  if (options.quiet) return createPlainRenderer({ ...plain, tells: 'failures' })
  if (options.progress === 'none') return createPlainRenderer({ ...plain, periodMs: 0 })
  const isLive = canMove && options.progress !== 'plain'
  return isLive
    ? createTerminalRenderer({ terminal: stderr, clock, style, verbose: options.verbose })
    : createPlainRenderer(plain)
}

function combine(renderers: readonly Renderer[]): Renderer {
  return {
    start(view) {
      for (const renderer of renderers) renderer.start(view)
    },
    say(text) {
      for (const renderer of renderers) renderer.say(text)
    },
    stop(stats, ending) {
      for (const renderer of renderers) renderer.stop(stats, ending)
    },
  }
}
