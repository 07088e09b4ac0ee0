// A service on NestJS: it lets in callers with a JWT from Dex, and calls an API with its own token.
import 'reflect-metadata'
import { type AuthenticatedCaller, BrokerError, refusalOf, TokenBroker } from '@broker/core'
import { createRequestFetch } from '@broker/express-adapter'
import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  type OnApplicationShutdown,
  Req,
} from '@nestjs/common'
import { APP_FILTER, APP_GUARD, BaseExceptionFilter, NestFactory, Reflector } from '@nestjs/core'
import type { Request, Response } from 'express'

const { DEX_ISSUER, CLIENT_SECRET, ORDERS_URL = 'http://127.0.0.1:3001', PORT = '3000' } = process.env

@Injectable()
class BrokerService implements OnApplicationShutdown {
  readonly broker = new TokenBroker({
    issuer: DEX_ISSUER, // https://dex.example.com/dex
    client: { clientId: 'reports', clientSecret: CLIENT_SECRET, audiences: ['orders'] },
    gate: { audience: 'reports' },
    logger: console,
  })
  readonly callOrders = createRequestFetch(this.broker, { allow: [ORDERS_URL] })

  /** Nest calls it after the last answer; it calls `onModuleDestroy` while requests still need tokens. */
  async onApplicationShutdown(): Promise<void> {
    await this.broker.close()
  }
}

const Groups = Reflector.createDecorator<string[]>()

type GuardedRequest = Request & { caller?: AuthenticatedCaller }

@Injectable()
class JwtGuard implements CanActivate {
  constructor(
    private readonly brokers: BrokerService,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>()
    const caller = await this.brokers.broker.authenticate({ headers: request.rawHeaders })
    request.caller = caller
    const marked = [context.getHandler(), context.getClass()]
    const required = this.reflector.getAllAndOverride(Groups, marked) ?? []
    if (required.every(group => caller.groups.includes(group))) return true
    throw new BrokerError('forbidden', `the caller is not in ${required.join(', ')}`)
  }
}

@Catch()
class BrokerErrorFilter extends BaseExceptionFilter {
  override catch(error: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>()
    if (response.closed) return // the caller has left
    if (BrokerError.is(error)) {
      const { status, headers, body } = refusalOf(error)
      response.status(status).set(headers).send(body)
    } else super.catch(error, host)
  }
}

@Controller('orders')
class OrdersController {
  constructor(private readonly brokers: BrokerService) {}

  @Get()
  @Groups(['sales'])
  async list(@Req() request: Request): Promise<unknown> {
    // Ends when the caller of this request leaves.
    const orders = await this.brokers.callOrders(request)(`${ORDERS_URL}/orders`)
    if (!orders.ok) throw new Error(`orders answered with status ${orders.status}`)
    return orders.json()
  }
}

@Module({
  controllers: [OrdersController],
  providers: [
    BrokerService,
    { provide: APP_GUARD, useClass: JwtGuard },
    { provide: APP_FILTER, useClass: BrokerErrorFilter },
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule)
app.enableShutdownHooks()
await app.listen(PORT)
