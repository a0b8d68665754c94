// Follows a job while it runs, and changes it: node examples/follow-job.ts FOLDER URL...
import { createTrawl, describeLocator, formatSize } from 'trawl'

const [dir = 'downloads', ...urls] = process.argv.slice(2)

// Limits and connections belong to the trawl and are shared by all of its jobs.
await using trawl = await createTrawl({ dir, maxPerHost: 4 })
const job = trawl.get(urls, {
  hooks: {
    // Skips what is not wanted before anything is sent for it.
    beforeItem: (task) => (describeLocator(task.locator).endsWith('.exe') ? false : undefined),
  },
})

for await (const event of job) {
  if (event.type === 'task.finished') {
    const { path, input, status, sizeBytes } = event.outcome
    console.log(`${status.padEnd(8)} ${path ?? input} ${formatSize(sizeBytes)}`)
    // Gentle from here on: limits change while the job runs.
    job.update({ limitRateBps: 50 * 1024 * 1024 })
  }
  if (event.type === 'task.retrying') console.log(`again    ${event.input}: ${event.error.message}`)
}

// Outcomes come from the journal, one after the other, however many there are.
for await (const { input, error } of job.items({ status: 'failed' }))
  console.log(`${input}: ${error?.message}`)
