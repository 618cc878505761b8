import { sleep, type startRestartable } from './restartable-service.ts'
import type { startProxy } from './tcp-proxy.ts'

interface Interrupted {
  readonly service: Awaited<ReturnType<typeof startRestartable>>
  readonly proxy: Awaited<ReturnType<typeof startProxy>>
}

/** In turn, kills and restarts the service, and cuts most of the connections of the proxy. */
export async function interrupt({ service, proxy }: Interrupted, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await sleep(100 + Math.random() * 150)
    if (round % 2 === 0) {
      await service.kill()
      await service.start()
    } else proxy.cut(0.7)
  }
}
