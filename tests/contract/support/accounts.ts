import { contract, operationOf } from './contract.ts'
import { call } from './http-client.ts'
import type { Service } from './server.ts'
import { recordTraffic } from './traffic.ts'

export interface Account {
  username: string
  password: string
  token: string
}

let count = 0

/** A username that no other run uses, within the documented length. */
export function uniqueName(): string {
  return `c-${Date.now().toString(36)}-${process.pid.toString(36)}-${(++count).toString(36)}`
}

export async function createAccount(service: Service, username = uniqueName()): Promise<Account> {
  const password = 'correct horse battery staple'
  await call(service, 'registerUser', { body: { username, password } })
  const { body } = await call(service, 'loginUser', { body: { username, password } })
  return { username, password, token: body.token }
}

const documented = new WeakMap<Service, Promise<Account>>()

/**
 * The user of the documented examples. On a service at `BASE_URL` the username may already be taken. Then a
 * stand-in user is registered, and the examples are compared with its name.
 */
export function documentedAccount(service: Service): Promise<Account> {
  const account = documented.get(service) ?? openDocumentedAccount(service)
  documented.set(service, account)
  return account
}

async function openDocumentedAccount(service: Service): Promise<Account> {
  const example = operationOf(contract, 'registerUser').body?.examples?.documented?.value
  const { username, password } = example as { username: string; password: string }
  const response = await call(service, 'registerUser', {
    body: { username, password },
    expect: 'username-taken?',
  })
  if (response.status === 201) return logIn(service, username, password)
  const standIn = uniqueName()
  recordTraffic({ kind: 'stand-in', server: service.name, username: standIn })
  await call(service, 'registerUser', { body: { username: standIn, password } })
  return logIn(service, standIn, password)
}

async function logIn(service: Service, username: string, password: string): Promise<Account> {
  const { body } = await call(service, 'loginUser', { body: { username, password } })
  return { username, password, token: body.token }
}
