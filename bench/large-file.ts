import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark, BenchReport, BenchSetting } from './benchmark.ts'
import { compare } from './compare.ts'
import { checkFile, digestOf, makeLargeFile } from './corpus.ts'
import { startNginx } from './origins/nginx.ts'
import { aria2cFile } from './peers/aria2c.ts'
import { chosen } from './peers/chosen.ts'
import { curlFile } from './peers/curl.ts'
import { trawlFile } from './peers/trawl.ts'
import { wget2File } from './peers/wget2.ts'
import { named, ratio } from './ratios.ts'

const fullBytes = 1024 ** 3

/** 1 GiB from nginx on loopback: what a byte costs. */
export const largeFile: Benchmark = {
  title: '1 GiB in one file from nginx on loopback',
  async run(setting: BenchSetting): Promise<BenchReport> {
    const { folder, scale } = setting
    const root = join(folder, 'files')
    mkdirSync(root)
    const bytes = Math.ceil(fullBytes * scale)
    const digest = digestOf(makeLargeFile(join(root, 'large.bin'), bytes))
    const origin = await startNginx({ folder, root })
    try {
      const url = `${origin.url}/large.bin`
      const contenders = await compare({
        ...setting,
        contenders: chosen(setting, (trawl) => trawlFile(trawl, url), [
          curlFile(url),
          aria2cFile(url, 1),
          aria2cFile(url, 16),
          wget2File(url),
        ]),
        rounds: setting.rounds ?? 5,
        timeoutMs: 120_000,
        check: (out) => checkFile(join(out, 'large.bin'), digest),
      })
      const value = ratio(contenders[0], named(contenders, 'curl'), 'wallMs')
      return {
        work: { files: 1, bytes },
        contenders,
        targets: [{ what: 'wall time of curl', value, limit: 1.2, sense: 'at most' }],
      }
    } finally {
      await origin.close()
    }
  },
}
