import { createHash } from 'node:crypto'
import { openRangeSource } from '../parquet/index.ts'
import type { TableFile } from './table-file.ts'

const wholeBytes = 16 * 1024 * 1024
const sampleBytes = 256 * 1024
const samples = 32

/** What tells a table from another, without times or folders, so that it may be copied and moved. */
export interface TableFingerprint {
  readonly name: string
  readonly sizeBytes: number
  /**
   * SHA-256, as hex: of the whole file up to 16 MiB, else of 32 samples of 256 KiB spread from its begin to its
   * end. A large table that keeps its length but changes between two samples is not told apart.
   */
  readonly sha256: string
}

/** Throws storage errors. */
export async function fingerprintTable(table: TableFile): Promise<TableFingerprint> {
  const file = await openRangeSource(table.path)
  try {
    const hash = createHash('sha256')
    const { sizeBytes } = file
    if (sizeBytes <= wholeBytes) {
      hash.update(await file.read(0, sizeBytes))
    } else {
      const last = sizeBytes - sampleBytes
      for (let i = 0; i < samples; i++) {
        hash.update(await file.read(Math.floor((last * i) / (samples - 1)), sampleBytes))
      }
    }
    return { name: table.name, sizeBytes, sha256: hash.digest('hex') }
  } finally {
    await file.close()
  }
}
