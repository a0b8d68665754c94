import type { RunProgram } from '../cli-context.ts'
import { environmentOf, fillCommand, type CommandFacts } from './fill-command.ts'

export interface CommandRunnerOptions {
  readonly run: RunProgram
  /** Commands at once. */
  readonly atOnce: number
  /** Told of commands that fail; never of one twice. */
  readonly onFailure: (message: string) => void
}

/** Runs commands for items, so many at once and no more. Their failures are told and change nothing else. */
export class CommandRunner {
  readonly #options: CommandRunnerOptions
  readonly #active = new Set<Promise<void>>()

  constructor(options: CommandRunnerOptions) {
    this.#options = options
  }

  /** Starts a command; resolves when another may be started. */
  async start(words: readonly string[], facts: CommandFacts): Promise<void> {
    while (this.#active.size >= this.#options.atOnce) await Promise.race(this.#active)
    const running = this.#run(words, facts).finally(() => this.#active.delete(running))
    this.#active.add(running)
  }

  /** Resolves when all that were started have ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#active)
  }

  async #run(words: readonly string[], facts: CommandFacts): Promise<void> {
    const { run, onFailure } = this.#options
    const [program = '', ...args] = fillCommand(words, facts)
    const end = await run(program, args, environmentOf(facts))
    if (end.code === 0) return
    const why =
      end.error ?? (end.signal === undefined ? `ended with ${end.code}` : `was ended by ${end.signal}`)
    const subject = facts['path'] ?? facts['input']
    onFailure(`the command ${program} ${why}${subject === undefined ? '' : `: ${subject}`}`)
  }
}
