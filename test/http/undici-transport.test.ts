import { createUndiciTransport } from '../../src/http/index.ts'
import { createFaultOrigin } from '../../src/testing/index.ts'
import { describeTransportContract } from '../contract/transport.ts'

describeTransportContract('HTTP/1.1', async () => {
  const origin = await createFaultOrigin()
  return {
    transport: createUndiciTransport(),
    origin,
    baseUrl: origin.url,
    close: () => origin.close(),
  }
})
