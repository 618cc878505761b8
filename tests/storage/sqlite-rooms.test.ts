import { roomsSuite } from './suites/rooms.ts'
import { roomsModelSuite } from './suites/rooms-model.ts'
import { sqliteRooms } from './support/sqlite.ts'

roomsSuite(sqliteRooms)
roomsModelSuite(sqliteRooms, 12)
