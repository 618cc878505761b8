import type { Service } from './service.ts'

/** One scrape, by the text in front of the value: a name, or a name with labels. */
export interface Scrape {
  /** The value of one sample, for example `parley_sockets` or `parley_sockets_closed_total{code="1000"}`. */
  value(series: string): number | undefined
  /** The names and labels of all samples. */
  readonly series: readonly string[]
  readonly text: string
}

export async function scrape({ metricsUrl }: Pick<Service, 'metricsUrl'>): Promise<Scrape> {
  const text = await (await fetch(metricsUrl)).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const values = new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ')
      return [line.slice(0, at), Number(line.slice(at + 1))]
    }),
  )
  return { value: (series) => values.get(series), series: [...values.keys()], text }
}

/** Repeats a scrape until the condition holds: sockets close a moment after their client. */
export async function scrapeUntil(
  service: Pick<Service, 'metricsUrl'>,
  holds: (scraped: Scrape) => boolean,
): Promise<Scrape> {
  for (;;) {
    const scraped = await scrape(service)
    if (holds(scraped)) return scraped
    await Bun.sleep(20)
  }
}
