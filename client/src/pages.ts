import type { Operations } from './contract.gen.ts'
import type { Call, CallOptions } from './http.ts'

type Entries<Id extends keyof Operations, List extends keyof Operations[Id]['output']> = Extract<
  Operations[Id]['output'][List],
  readonly unknown[]
>

/** Reads a list page by page, and skips empty pages. */
export async function* readPages<
  Id extends 'listMessages' | 'listRooms' | 'listMembers',
  List extends keyof Operations[Id]['output'],
>(
  call: Call,
  id: Id,
  list: List,
  /** The parameter that takes `next`. */
  parameter: 'after' | 'before',
  input: NonNullable<Operations[Id]['input']>,
  options?: CallOptions,
): AsyncGenerator<Entries<Id, List>, void> {
  for (let cursor: unknown = (input as { after?: string; before?: string })[parameter]; cursor !== null; ) {
    const page = await call(id, { ...input, [parameter]: cursor }, options)
    const entries = page[list] as Entries<Id, List>
    if (entries.length > 0) yield entries
    cursor = page.next
  }
}
