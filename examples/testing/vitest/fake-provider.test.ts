// #region fake
import express from 'express'
import { expect, test } from 'vitest'
import { createApp } from '../service/app.ts'
import { listen } from '../service/start-service.ts'

test('a fake stands for the broker', async () => {
  const fake = { getToken: async () => ({ accessToken: 'test' }) }
  await using api = await listen(
    express().get('/orders', ({ headers }, response) => void response.json(headers.authorization)),
  )
  await using app = await listen(createApp(fake, api.url))
  expect(await (await fetch(`${app.url}/report`)).json()).toEqual({ report: 'Bearer test' })
})
// #endregion fake
