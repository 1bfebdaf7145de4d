import t from 'tap'
import { createTestApp } from '../../helpers/app.ts'
import { createTestOutbox } from '../../helpers/outbox.ts'
import { newEmail } from '../../helpers/people.ts'

t.test('the outbox of a service that sends nothing', async t => {
  const api = await createTestApp(t)
  const outbox = createTestOutbox(t, api.database)
  const store = api.scope.authServeDb.outbox

  t.test('a dead letter is kept from when it was given up', async t => {
    const id = await outbox.order({ template: 'reset-password', recipient: newEmail() })
    await outbox.sql`update outbox set created_at = now() - interval '40 days' where id = ${id}`
    const [leased] = await store.lease(1, 60)
    t.equal(leased?.id, id)
    if (leased === undefined) return
    t.ok(await store.markFailed(leased, 'no'))
    t.match([...await outbox.sql`select status, created_at > now() - interval '1 minute' as kept from outbox where id = ${id}`], [{ status: 'failed', kept: true }])
    t.notOk(await store.markFailed(leased, 'again'), 'the lease is over')
  })

  t.test('what somebody else orders for the same address replaces nothing', async t => {
    const [ada, grace] = [await outbox.addPerson(), await outbox.addPerson()]
    const template = 'change-email'
    const recipient = newEmail()
    const id = await outbox.order({ template, userId: ada.id, recipient })
    await outbox.order({ template, userId: grace.id, recipient })
    t.notOk(await store.hasNewer({ id, template, userId: ada.id, recipient }))
    await outbox.order({ template, userId: ada.id, recipient: newEmail() })
    t.ok(await store.hasNewer({ id, template, userId: ada.id, recipient }), 'but what the same person orders does')
  })

  t.test('nor has an order for an address and one for its owner to be told apart', async t => {
    const { id: userId, email: recipient } = await outbox.addPerson()
    const template = 'verify-email'
    const registered = await outbox.order({ template, userId, recipient })
    const resent = await outbox.order({ template, recipient })
    t.ok(await store.hasNewer({ id: registered, template, userId, recipient }))
    t.notOk(await store.hasNewer({ id: resent, template, userId: null, recipient }))
  })
})
