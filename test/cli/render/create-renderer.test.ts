import { describe, expect, it } from 'vitest'
import { createRenderer, type RenderOptions } from '../../../src/cli/render/index.ts'
import { FakeClock, FakeJob, FakeOutput, statsOf } from './fake-job.ts'
import { ScreenModel } from './screen-model.ts'

const asked: RenderOptions = { json: false, quiet: false, verbose: false, progress: 'auto' }

interface Seen {
  /** Cursor control was used. */
  moves: boolean
  colours: boolean
  progress: boolean
  summary: boolean
  failures: boolean
  stdout: string
}

function run(options: Partial<RenderOptions>, env: Record<string, string> = {}, isTerminal = true): Seen {
  const screen = Object.assign(new ScreenModel(80, 24), { isTerminal })
  const stdout = new FakeOutput()
  const clock = new FakeClock()
  const job = new FakeJob()
  const renderer = createRenderer({ ...asked, ...options }, { stdout, stderr: screen, env, clock })
  renderer.start(job)
  job.fail(1)
  clock.advance(6000)
  renderer.stop(statsOf({ planned: 3, failed: 1 }))
  const text = screen.writes.join('')
  return {
    moves: text.includes('\u001b[?25l'),
    colours: text.includes('\u001b[31m'),
    progress: text.includes('0 active'),
    summary: text.includes(' of 3 in '),
    failures: text.includes('failed: https://example.org/1.bin'),
    stdout: stdout.text,
  }
}

const live = { moves: true, colours: true, progress: true, summary: true, failures: true, stdout: '' }
const plain = { ...live, moves: false, colours: false }

describe('createRenderer', () => {
  it.each([
    ['live lines on a terminal', run({}), live],
    ['no colours with NO_COLOR', run({}, { NO_COLOR: '1' }), { ...live, colours: false }],
    ['colours with an empty NO_COLOR', run({}, { NO_COLOR: '' }), live],
    ['plain lines on a dumb terminal', run({}, { TERM: 'dumb' }), plain],
    ['plain lines elsewhere', run({}, {}, false), plain],
    ['plain lines elsewhere, even when live ones are asked for', run({ progress: 'live' }, {}, false), plain],
    ['plain lines when asked for', run({ progress: 'plain' }), { ...plain, colours: true }],
    ['no progress when asked for', run({ progress: 'none' }, {}, false), { ...plain, progress: false }],
    [
      'failures alone when quiet',
      run({ quiet: true }, {}, false),
      { ...plain, progress: false, summary: false },
    ],
  ])('gives %s', (_, seen, expected) => {
    expect(seen).toEqual(expected)
  })

  it('gives JSON lines on standard output, and failures beside them', () => {
    const seen = run({ json: true })
    expect(seen).toMatchObject({ moves: false, progress: false, summary: false, failures: true })
    expect(seen.stdout).toContain('"type":"task.finished"')
    expect(seen.stdout).toContain('"type":"progress"')
  })
})
