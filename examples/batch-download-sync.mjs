// The same without waiting for promises: node examples/batch-download-sync.mjs FOLDER URL...
// The thread stands still until all files have ended, so this is for scripts and configuration files, not for servers.
import { batchDownloadSync } from 'trawl'

const [dir = 'downloads', ...urls] = process.argv.slice(2)

const files = batchDownloadSync(urls, { dir, retries: 2 })

for (const { input, status, path, error } of files) {
  console.log(status === 'failed' ? `${input}: ${error.message}` : `${input}: ${status}, ${path}`)
}
const { stats } = files
console.log(`${stats.ok} of ${stats.planned} files, ${stats.sizeBytes} bytes`)
process.exitCode = stats.failed > 0 ? 1 : 0
