import { appendFileSync } from 'node:fs'

/**
 * The rate limits of a server: `documented` are the quotas in the documents, `raised` are quotas that
 * the suite does not use up, and `unknown` are those of a service that the suite did not start.
 */
export interface ServerStarted {
  kind: 'server'
  server: string
  limits: 'documented' | 'raised' | 'unknown'
  /** The quotas that the settings of the server replace, by policy. */
  quotas?: Record<string, number>
}

/** On this server the documented username was already taken, and this user replaces it. */
export interface StandIn {
  kind: 'stand-in'
  server: string
  username: string
}

export interface SentRequest {
  method: string
  path: string
  query: Record<string, string>
  /** Names in lower case. */
  headers: Record<string, string>
  /** Headers of a handshake that differ from those of a valid one. An empty value removes the header. */
  upgrade?: Record<string, string>
  /** The body as latin1, one character per byte, so that invalid UTF-8 is preserved. */
  body?: string
}

export interface Exchange {
  kind: 'exchange' | 'handshake'
  server: string
  /** Time in milliseconds. Only the order and the differences are used. */
  at: number
  request: SentRequest
  response: { status: number; headers: Record<string, string>; body: string }
  /** The code of the problem that the server's state causes, if the request alone does not cause it. */
  expect?: string
}

export interface Opened {
  kind: 'opened'
  server: string
  socket: string
  request: SentRequest
  subprotocol: string
}

/** A client frame and the frame that its sender received in reply. */
export interface Turn {
  kind: 'turn'
  server: string
  socket: string
  sent: string
  reply: string
  /** Time in milliseconds, as in an exchange. */
  at: number
  expect?: string
}

export interface Sent {
  kind: 'sent'
  server: string
  socket: string
  text: string
}

export interface Received {
  kind: 'received'
  server: string
  socket: string
  text: string
}

export interface Closed {
  kind: 'closed'
  server: string
  socket: string
  code: number
  reason: string
  /** The entry of `x-close-codes` that the test caused. */
  cause: string
}

/** A handshake that was accepted only to be closed with the problem, for a client that offered this. */
export interface Refused {
  kind: 'refused'
  server: string
  request: SentRequest
  subprotocol: string
  code: number
  reason: string
  expect?: string
}

/** What the server does to a client that has been silent for some seconds. */
export interface Silence {
  kind: 'silence'
  server: string
  socket: string
  seconds: number
  observed: 'nothing' | 'ping' | 'end'
}

export type TrafficEvent =
  | ServerStarted
  | StandIn
  | Exchange
  | Opened
  | Refused
  | Turn
  | Sent
  | Received
  | Silence
  | Closed

/** Appends an event to the traffic file, which the driver checks after all tests. */
export function recordTraffic(event: TrafficEvent): void {
  const file = process.env.TRAFFIC_FILE
  if (file) appendFileSync(file, `${JSON.stringify(event)}\n`)
}

export function parseTraffic(lines: string): TrafficEvent[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TrafficEvent)
}
