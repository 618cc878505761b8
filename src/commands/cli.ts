import { Command, CommanderError } from 'commander'
import { readDataDir } from '../config.ts'
import { openapi } from '../contract/documents.ts'
import { backUp, restore, startEpochAfterRestore } from './backup.ts'
import { check } from './check.ts'
import { explainFailure } from './failures.ts'
import { healthcheck } from './healthcheck.ts'
import { removeMessages } from './messages.ts'
import { move } from './move.ts'
import { createRoom, listRooms, removeRoom, setOwner, showRoom } from './rooms.ts'
import { configure, start } from './start.ts'
import { addUser, listUsers, logOutUser, removeUser, setPassword, showUser } from './users.ts'

/** The exit code of a command that was not understood. */
const misused = 2
const failed = 1

/** Ends a command without an error message. */
class Exit extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super()
    this.exitCode = exitCode
  }
}

const json = ['--json', 'print JSON for scripts'] as const
const passwordHelp = `
The password is one line of standard input. On a terminal, the command asks for it twice and does not show it.
A password is never an argument, because other users can see the arguments of a process.`

function addUserCommands(users: Command, dataDir: () => string): void {
  users
    .command('list')
    .description('list all accounts, including removed ones')
    .option(...json)
    .action((options) => listUsers(dataDir(), options))
  users
    .command('show')
    .description('show an account')
    .argument('<username>')
    .option(...json)
    .action((username, options) => showUser(dataDir(), username, options))
  users
    .command('add')
    .description('add an account, also while registration is closed')
    .argument('<username>')
    .option(...json)
    .addHelpText('after', passwordHelp)
    .action((username, options) => addUser(dataDir(), username, options))
  users
    .command('set-password')
    .description('replace the password of an account and revoke all of its tokens')
    .argument('<username>')
    .option(...json)
    .addHelpText('after', passwordHelp)
    .action((username, options) => setPassword(dataDir(), username, options))
  users
    .command('logout')
    .description('revoke all tokens of an account and close its WebSockets')
    .argument('<username>')
    .option(...json)
    .action((username, options) => logOutUser(dataDir(), username, options))
  users
    .command('remove')
    .description('remove an account; its username stays reserved')
    .argument('<username>')
    .option('--erase-messages', 'erase all messages of the account, also if it was removed before')
    .option('--yes', 'do not ask for a confirmation')
    .option(...json)
    .action((username, options) => removeUser(dataDir(), username, options))
}

function addRoomCommands(rooms: Command, dataDir: () => string): void {
  rooms
    .command('list')
    .description('list all rooms')
    .option(...json)
    .action((options) => listRooms(dataDir(), options))
  rooms
    .command('show')
    .description('show a room and its members')
    .argument('<id>')
    .option(...json)
    .action((id, options) => showRoom(dataDir(), id, options))
  rooms
    .command('create')
    .description('create a room, also while users may not')
    .argument('<name>')
    .requiredOption('--owner <username>', 'the owner, who can add members')
    .option('--public', 'list the room, and let every user join it')
    .option(...json)
    .action((name, options) => createRoom(dataDir(), name, options))
  rooms
    .command('remove')
    .description('remove a room; its members are told')
    .argument('<id>')
    .option('--yes', 'do not ask for a confirmation')
    .option(...json)
    .action((id, options) => removeRoom(dataDir(), id, options))
  rooms
    .command('set-owner')
    .description('make a user an owner of a room, and a member if necessary')
    .argument('<id>')
    .argument('<username>')
    .option(...json)
    .action((id, username, options) => setOwner(dataDir(), id, username, options))
}

function addDataCommands(program: Command, dataDir: () => string): void {
  program
    .command('messages')
    .description('manage messages')
    .command('remove')
    .description('remove messages from the history; clients that have received them keep them')
    .argument('<ids...>', 'the ids of the messages')
    .option(...json)
    .action((ids, options) => removeMessages(dataDir(), ids, options))
  program
    .command('backup')
    .description('write a consistent copy of the database, also while the service runs')
    .argument('<file>', 'the backup, readable only by its owner')
    .option('--force', 'replace an existing file')
    .option(...json)
    .action((file, options) => backUp(dataDir(), file, options))
  program
    .command('restore')
    .description('replace the database by a backup; the service must be stopped')
    .argument('<file>', 'a file that "parley backup" has written')
    .option('--revoke-all-tokens', 'all users have to log in again')
    .option(...json)
    .addHelpText(
      'after',
      `
The replaced database is kept in the data folder. Changes after the backup are undone, among them password
changes, logouts, and removals of accounts and messages.`,
    )
    .action((file, options) => restore(dataDir(), file, options))
}

function addMoveCommand(program: Command): void {
  program
    .command('move')
    .description('copy all data of a stopped service from SQLite into the empty database of DATABASE_URL')
    .requiredOption('--from <folder>', 'the data folder of the service')
    .option(...json)
    .addHelpText(
      'after',
      `
Accounts, messages, their ids and positions, idempotency keys and revoked tokens are kept, so clients resume as usual.
Everything is copied in one transaction: if the command is interrupted, the database remains empty. The folder is
not changed.`,
    )
    .action((options) => move(process.env, options))
}

function addRestoredCommand(program: Command): void {
  program
    .command('restored')
    .description('state that the database of DATABASE_URL was restored, so that clients receive a gap')
    .option(...json)
    .addHelpText(
      'after',
      `
Only needed after the disk of the PostgreSQL server was set back to a snapshot: nodes notice other restores and the
promotion of a standby. Running nodes end, and have to be started again.`,
    )
    .action((options) => startEpochAfterRestore(options))
}

/** Adds a group of commands that have usernames as arguments, which may look like options. */
const addGroup = (program: Command, name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .addHelpText(
      'afterAll',
      '\nA name that starts with a hyphen comes after "--", as in: parley users show -- -ada',
    )

/** Subcommands inherit these settings, so they are made before any is added. */
const createRoot = (): Command =>
  new Command('parley')
    .description('A chat service with accounts. Without arguments, it serves.')
    .version(openapi.info.version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .allowExcessArguments(false)
    .showHelpAfterError()
    .exitOverride()

function createProgram(): Command {
  const program = createRoot().addHelpText(
    'after',
    `
The settings are environment variables, as for the service. DATA_DIR, or DATABASE_URL, selects the data. All
commands except "restore" and "move" work while the service runs, which notices changes within a second.

Exit codes: 0 success, 1 failure, 2 the command was not understood.`,
  )
  const dataDir = () => readDataDir(process.env)
  program.command('serve').description('serve until SIGTERM or SIGINT, as without arguments').action(start)
  program
    .command('check')
    .description('print the settings that take effect, and everything that prevents a start')
    .option(...json)
    .action(async (options) => {
      if (!(await check(process.env, options))) throw new Exit(failed)
    })
  program
    .command('healthcheck')
    .description('exit with 0 if the service responds, for health checks of containers')
    .action(async () => {
      throw new Exit((await healthcheck(configure())) ? 0 : failed)
    })
  addUserCommands(addGroup(program, 'users', 'manage accounts'), dataDir)
  addRoomCommands(addGroup(program, 'rooms', 'manage rooms'), dataDir)
  addDataCommands(program, dataDir)
  addMoveCommand(program)
  addRestoredCommand(program)
  return program
}

/** Runs a command. Returns its exit code; undefined if it serves. */
export async function runCommand(arguments_: readonly string[]): Promise<number | undefined> {
  const serves = arguments_[0] === 'serve'
  try {
    await createProgram().parseAsync(arguments_, { from: 'user' })
    return serves ? undefined : 0
  } catch (error) {
    if (error instanceof Exit) return error.exitCode
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : misused
    // The reader of a pipe, such as `head`, has read enough.
    if ((error as { code?: unknown }).code !== 'EPIPE') console.error(explainFailure(error))
    return failed
  }
}
