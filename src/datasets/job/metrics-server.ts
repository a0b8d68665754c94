import { createServer, type Server } from 'node:http'
import { TrawlError, type JobStats, type Progress } from '../../core/index.ts'

/** Serves metrics until it is closed. */
export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * Metrics of a job for Prometheus (text format 0.0.4) on `http://127.0.0.1:PORT/metrics`. Port 0 takes any free one.
 * Throws ERR_CONFIG_INVALID where the port is taken.
 */
export async function serveMetrics(
  port: number,
  read: () => { readonly progress: Progress; readonly stats: JobStats },
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(metricsText(read()))
  })
  await listen(server, port)
  // A job that has ended waits for nobody who still reads metrics.
  server.unref()
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** The metrics as text. */
function metricsText({ progress, stats }: { readonly progress: Progress; readonly stats: JobStats }): string {
  const lines: string[] = []
  const metric = (
    name: string,
    type: 'counter' | 'gauge',
    help: string,
    samples: readonly string[],
  ): void => {
    lines.push(`# HELP trawl_${name} ${help}`, `# TYPE trawl_${name} ${type}`)
    for (const sample of samples) lines.push(`trawl_${name}${sample}`)
  }
  metric('rows_planned', 'gauge', 'Rows of the plan.', [` ${progress.planned}`])
  metric('rows_total', 'counter', 'Rows that are done, by status.', [
    `{status="ok"} ${progress.ok}`,
    `{status="failed"} ${progress.failed}`,
    `{status="skipped"} ${progress.skipped}`,
  ])
  metric(
    'failures_total',
    'counter',
    'Rows that failed, by error code.',
    Object.entries(stats.failures).map(([code, count]) => `{code="${code}"} ${count}`),
  )
  metric('retries_total', 'counter', 'Further tries.', [` ${stats.retries}`])
  metric('fetched_bytes_total', 'counter', 'Body bytes over the network.', [` ${progress.fetchedBytes}`])
  metric('transfers_active', 'gauge', 'Transfers at this moment.', [` ${progress.active}`])
  metric('elapsed_seconds', 'gauge', 'Time since the start.', [` ${(progress.elapsedMs / 1000).toFixed(3)}`])
  return `${lines.join('\n')}\n`
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new TrawlError('ERR_CONFIG_INVALID', `prometheusPort: cannot listen on port ${port}`, {
          cause: error,
          context: { field: 'prometheusPort' },
        }),
      ),
    )
    server.listen(port, '127.0.0.1', resolve)
  })
}
