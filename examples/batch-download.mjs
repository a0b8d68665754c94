// Downloads some files and says what became of each: node examples/batch-download.mjs FOLDER URL...
import { batchDownload } from 'trawl'

const [dir = 'downloads', ...urls] = process.argv.slice(2)

// Rejects only where nothing could start, such as a folder that cannot be written. Each file is an outcome.
const files = await batchDownload(urls, { dir, retries: 2 })

for (const { input, status, path, error } of files) {
  console.log(status === 'failed' ? `${input}: ${error.message}` : `${input}: ${status}, ${path}`)
}
const { stats } = files
console.log(`${stats.ok} of ${stats.planned} files, ${stats.sizeBytes} bytes`)
process.exitCode = stats.failed > 0 ? 1 : 0
