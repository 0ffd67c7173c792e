// Checks that a part of the benchmark replaces only its own text in docs/performance.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { withParts } from '../../bench/lib/report.mjs'

const TITLES = ['First', 'Second', 'Third']
const PAGE = `# Performance

About this page.

## The Worker

About this section.

### First

1

### Third

3

## slotctl at scale

### First

of slotctl
`

test('a part replaces its own text', () => {
  assert.equal(withParts(PAGE, { Third: '| a |\n| 4 |' }, TITLES), PAGE.replace('\n3\n', '\n| a |\n| 4 |\n'))
})

test('a new part is put in its place', () => {
  const expected = PAGE.replace('### Third', '### Second\n\n2\n\n### Third')
  assert.equal(withParts(PAGE, { Second: '2' }, TITLES), expected)
})

test('a part without a title in the order is removed', () => {
  assert.equal(withParts(PAGE, {}, ['First']), PAGE.replace('### Third\n\n3\n\n', ''))
})

test('a page without the section gets one', () => {
  assert.equal(
    withParts('# Performance\n', { First: '1' }, TITLES),
    '# Performance\n\n## The Worker\n\n### First\n\n1\n',
  )
})
