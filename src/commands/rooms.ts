import { explainErrors } from '../contract/explain.ts'
import { allOperations } from '../contract/operations.ts'
import type { Administration } from '../open-storage.ts'
import type { Member, RoomRecord } from '../rooms/rooms.ts'
import { CommandFailure, countOf, formatTable, print, printJson } from './output.ts'
import { confirm } from './terminal.ts'
import { administer, type OutputOptions } from './users.ts'

interface RemoveOptions extends OutputOptions {
  readonly yes?: boolean
}

interface CreateOptions extends OutputOptions {
  readonly owner: string
  readonly public?: boolean
}

const pageSize = 500

/** How long a command waits for the service to carry out what it has requested. */
const waitMs = 3000
const pollMs = 100

const pending = 'The service carries it out within a second; if it is not running, when it starts.'

async function findRoom({ rooms }: Administration, id: string): Promise<RoomRecord> {
  const room = await rooms.find(id)
  if (!room) throw new CommandFailure(`No room has the id ${JSON.stringify(id)}.`)
  return room
}

async function listMembers({ rooms }: Administration, id: string): Promise<Member[]> {
  const all: Member[] = []
  for (;;) {
    const page = await rooms.members(id, all.at(-1)?.user.id, pageSize)
    all.push(...page)
    if (page.length < pageSize) return all
  }
}

/** Waits until the service has carried out a request, and returns whether it has. */
async function isDone(check: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + waitMs; performance.now() < end; await Bun.sleep(pollMs)) {
    if (await check()) return true
  }
  return false
}

const kindOf = ({ direct, public: isPublic }: RoomRecord) =>
  direct ? 'direct' : isPublic ? 'public' : 'private'

export async function listRooms(dataDir: string, { json }: OutputOptions): Promise<void> {
  const records = await administer(dataDir, async ({ rooms }) => {
    const all: RoomRecord[] = []
    for (;;) {
      const page = await rooms.list(all.at(-1)?.id, pageSize)
      all.push(...page)
      if (page.length < pageSize) return all
    }
  })
  if (json) return printJson(records)
  const rows = records.map((room) => [
    room.id,
    kindOf(room),
    String(room.members),
    String(room.entries),
    room.name,
  ])
  await print(formatTable([['ID', 'KIND', 'MEMBERS', 'ENTRIES', 'NAME'], ...rows]))
}

export async function showRoom(dataDir: string, id: string, { json }: OutputOptions): Promise<void> {
  const { room, members } = await administer(dataDir, async (administration) => {
    const found = await findRoom(administration, id)
    return { room: found, members: await listMembers(administration, id) }
  })
  if (json) return printJson({ ...room, members })
  const facts = [
    ['id', room.id],
    ['name', room.name],
    ['kind', kindOf(room)],
    ['history', room.history],
    ['entries', String(room.entries)],
    ['members', String(room.members)],
  ]
  const rows = members.map(({ user, role }) => [user.username, user.id, role])
  await print(`${formatTable(facts)}\n\n${formatTable([['USERNAME', 'ID', 'ROLE'], ...rows])}`)
}

const creation = allOperations.find(({ id }) => id === 'createRoom')?.body

export async function createRoom(
  dataDir: string,
  name: string,
  { owner, public: isPublic = false, json }: CreateOptions,
): Promise<void> {
  if (!creation) throw new Error('The document does not describe the body of createRoom')
  const [error] = explainErrors(creation.schema, { name })
  if (error) throw new CommandFailure(`The name ${error.detail}.`)
  await administer(dataDir, async ({ users, rooms }) => {
    const record = await users.findRecord(owner)
    if (!record || record.removedAt !== null) {
      throw new CommandFailure(`No account has the username ${JSON.stringify(owner)}.`)
    }
    const history = isPublic ? 'all' : 'joined'
    await rooms.request({
      kind: 'create-room',
      owner,
      room: { name, public: isPublic, history, members: [] },
    })
  })
  if (json) await printJson({ name, owner, requested: true })
  else await print(`Requested the room ${JSON.stringify(name)}. ${pending}`)
}

export async function removeRoom(
  dataDir: string,
  id: string,
  { json, yes = false }: RemoveOptions,
): Promise<void> {
  const { room, done } = await administer(dataDir, async (administration) => {
    const found = await findRoom(administration, id)
    const what = `${JSON.stringify(found.name)} with ${countOf(found.members, 'member')}`
    if (!yes) await confirm(`Remove the room ${what}? This cannot be undone.`)
    await administration.rooms.request({ kind: 'remove-room', room: id })
    return {
      room: found,
      done: await isDone(async () => (await administration.rooms.find(id)) === undefined),
    }
  })
  if (json) return printJson({ id, name: room.name, done })
  await print(done ? `Removed the room ${id}.` : `Requested the removal of the room ${id}. ${pending}`)
}

export async function setOwner(
  dataDir: string,
  id: string,
  name: string,
  { json }: OutputOptions,
): Promise<void> {
  const { username, done } = await administer(dataDir, async (administration) => {
    const room = await findRoom(administration, id)
    if (room.direct) throw new CommandFailure('A direct room has no owners.')
    const record = await administration.users.findRecord(name)
    if (!record || record.removedAt !== null) {
      throw new CommandFailure(`No account has the username ${JSON.stringify(name)}.`)
    }
    await administration.rooms.request({ kind: 'set-member', room: id, username: name, role: 'owner' })
    const isOwner = async () =>
      (await listMembers(administration, id)).some(
        ({ user, role }) => user.id === record.id && role === 'owner',
      )
    return { username: record.username, done: await isDone(isOwner) }
  })
  if (json) return printJson({ id, username, done })
  await print(
    done ? `${username} is an owner of the room ${id}.` : `Requested the owner ${username}. ${pending}`,
  )
}
