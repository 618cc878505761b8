import { openapi } from './documents.ts'

const limits = openapi['x-limits']

/** Rooms of one user. */
export const roomsPerUser = limits['rooms-per-user']
export const membersPerRoom = limits['members-per-room']
/** In a room with more members, only the user concerned receives an event about a member. */
export const membersWithEvents = limits['members-with-events']
