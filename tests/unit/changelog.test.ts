import { expect, test } from 'bun:test'
import changelog from '../../CHANGELOG.md' with { type: 'text' }
import { version } from '../../package.json'

test('the newest release in the changelog is the version of the package', () => {
  const [, newest] = /^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$/m.exec(changelog) ?? []
  expect(newest).toBe(version)
})
