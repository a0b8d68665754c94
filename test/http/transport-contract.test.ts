import { createTransport, type TransportOptions } from '../../src/http/index.ts'
import { createFaultOrigin } from '../../src/testing/index.ts'
import { describeTransportContract, type TransportUnderTest } from '../contract/transport.ts'
import { describeWith } from '../programs.ts'
import { startHttp2Gateway } from './servers/http2-gateway.ts'
import { startHttpProxy, startSocksProxy, type TestProxy } from './servers/proxy-server.ts'
import { makeCertificate } from './servers/test-certificate.ts'

// Redirects are values of the transport below; the contract looks at those.
const plain: TransportOptions = { redirects: { max: 0 } }

describeTransportContract('HTTP/1.1', async () => {
  const origin = await createFaultOrigin()
  return { transport: createTransport(plain), origin, baseUrl: origin.url, close: () => origin.close() }
})

describeTransportContract(
  'requests in absolute form to an HTTP proxy',
  () => proxied(startHttpProxy(), (port) => `http://127.0.0.1:${port}`),
  { seesFraming: false },
)

describeTransportContract('a SOCKS5 tunnel', () =>
  proxied(startSocksProxy({ credentials: 'me:secret' }), (port) => `socks5://me:secret@127.0.0.1:${port}`),
)

async function proxied(
  starting: Promise<TestProxy>,
  url: (port: number) => string,
): Promise<TransportUnderTest> {
  const origin = await createFaultOrigin()
  const proxy = await starting
  const close = async (): Promise<void> => {
    await proxy.close()
    await origin.close()
  }
  const transport = createTransport({ ...plain, proxy: { all: url(proxy.port) } })
  return { transport, origin, baseUrl: origin.url, close }
}

describeWith(['openssl'], 'over TLS', () => {
  const tls = makeCertificate()

  describeTransportContract('HTTPS', async () => {
    const origin = await createFaultOrigin({ tls })
    const transport = createTransport({ ...plain, tls: { ca: tls.cert } })
    return { transport, origin, baseUrl: origin.url, close: () => origin.close() }
  })

  describeTransportContract('HTTPS through a CONNECT tunnel', async () => {
    const origin = await createFaultOrigin({ tls })
    const proxy = await startHttpProxy({ credentials: 'me:secret' })
    const transport = createTransport({
      ...plain,
      tls: { ca: tls.cert },
      proxy: { https: `http://me:secret@127.0.0.1:${proxy.port}` },
    })
    const close = async (): Promise<void> => {
      await proxy.close()
      await origin.close()
    }
    return { transport, origin, baseUrl: origin.url, close }
  })

  describeTransportContract(
    'HTTP/2',
    async () => {
      const origin = await createFaultOrigin()
      const gateway = await startHttp2Gateway(origin.url, tls)
      const transport = createTransport({ ...plain, http2: 'auto', tls: { ca: tls.cert } })
      const close = async (): Promise<void> => {
        await gateway.close()
        await origin.close()
      }
      return { transport, origin, baseUrl: gateway.url, close }
    },
    { seesFraming: false },
  )
})
