/** A worker for the tests of channels and pools: answers, dies or hangs as it is told. */
import { openWorkerPort } from '../../src/workers/index.ts'

interface Wish {
  readonly do: 'echo' | 'exit' | 'throw' | 'hang' | 'count' | 'pid'
  readonly value?: unknown
}

let count = 0
const port = openWorkerPort({
  onMessage: (items) => {
    for (const item of items as readonly Wish[]) act(item)
  },
  onClose: () => port.close(),
})

function act(wish: Wish): void {
  count++
  if (wish.do === 'echo') port.post([{ echo: wish.value }])
  else if (wish.do === 'count') port.post([{ count }])
  else if (wish.do === 'pid') port.post([{ pid: process.pid }])
  else if (wish.do === 'exit') process.exit(7)
  else if (wish.do === 'throw') throw new RangeError('as it was told')
  else for (;;);
}
