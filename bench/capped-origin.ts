import { join } from 'node:path'
import { body } from '../src/testing/index.ts'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkFile } from './corpus.ts'
import { startLimitedOrigin } from './origins/limited-origin.ts'
import { aria2cFile } from './peers/aria2c.ts'
import { chosen } from './peers/chosen.ts'
import { trawlFile } from './peers/trawl.ts'
import { named, ratio } from './ratios.ts'

const fullBytes = 256 * 1024 ** 2
const connectionRateBps = 4 * 1024 ** 2

/** 256 MiB from an origin that gives each connection 4 MiB/s. curl and wget2 would take 64 seconds and tell nothing. */
export const cappedOrigin: Benchmark = {
  title: '256 MiB in one file from an origin that gives each connection 4 MiB/s',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const bytes = Math.ceil(fullBytes * setting.scale)
    const digest = body('large', bytes).digest()
    const origin = await startLimitedOrigin({ largeBytes: bytes, connectionRateBps })
    const seen: Record<string, object[]> = {}
    try {
      const url = `${origin.url}/large.bin`
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlFile(trawl, url), [aria2cFile(url, 16)]),
        rounds: setting.rounds ?? 3,
        timeoutMs: 120_000,
        check: (out) => checkFile(join(out, 'large.bin'), digest),
        onStart: async () => void (await origin.takeFacts()),
        onEnd: async ({ name }) => {
          const { samples, ...facts } = await origin.takeFacts()
          const sentBytes = samples.at(-1)?.sentBytes ?? 0
          ;(seen[name] ??= []).push({ ...facts, sentBytes })
        },
      })
      const value = ratio(contenders[0], named(contenders, 'aria2c'), 'wallMs')
      return {
        work: { files: 1, bytes },
        contenders,
        targets: [{ what: 'wall time of aria2c -x16 -s16', value, limit: 1, sense: 'at most' }],
        facts: { origin: seen },
      }
    } finally {
      await origin.close()
    }
  },
}
