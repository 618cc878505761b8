import { messageLogSuite } from './suites/message-log.ts'
import { usersSuite } from './suites/users.ts'
import { sqliteMessageLogs, sqliteUsers } from './support/sqlite.ts'

messageLogSuite(sqliteMessageLogs)
usersSuite(sqliteUsers)
