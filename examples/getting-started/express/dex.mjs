import { startDevDex } from '@broker/dev-dex'

const dex = await startDevDex({
  port: 5600,
  clients: [
    { id: 'reports', secret: 'reports-secret' },
    // The peer `orders` lets `reports` ask for tokens whose audience is `orders`.
    { id: 'orders', secret: 'orders-secret', trustedPeers: ['reports'] },
  ],
})
console.log(`Dex look-alike: ${dex.issuer}`)
