import { describe } from 'bun:test'
import { directSuite } from './rooms/direct.ts'
import type { RoomsEngine } from './rooms/engine.ts'
import { historySuite } from './rooms/history.ts'
import { limitsSuite, retentionSuite } from './rooms/limits.ts'
import { membersSuite, ownersSuite } from './rooms/members.ts'
import { resumeSuite } from './rooms/resume.ts'

/** The guarantees of the rooms in `MessageLog` and `Rooms`, for every engine. */
export function roomsSuite(engine: RoomsEngine): void {
  describe(`the rooms in ${engine.name}`, () => {
    membersSuite(engine)
    ownersSuite(engine)
    directSuite(engine)
    historySuite(engine)
    resumeSuite(engine)
    limitsSuite(engine)
    retentionSuite(engine)
  })
}
