import { Controller, Get, HttpCode, Inject, Module, NotFoundException, Param, Post } from '@nestjs/common'
import { type CloseOutcome, type Order, openShop, type Shop } from './shop.ts'

export const SHOP = Symbol('shop')

@Controller('orders')
class OrdersController {
  constructor(@Inject(SHOP) private readonly shop: Shop) {}

  @Post()
  place(): Promise<{ number: string; cashierUrl: string }> {
    return this.shop.placeOrder()
  }

  @Get(':number')
  async find(@Param('number') number: string): Promise<{ order: Order }> {
    const order = await this.shop.findOrder(number)
    if (order === null) throw new NotFoundException()
    return { order }
  }

  @Post(':number/close')
  @HttpCode(200)
  async close(@Param('number') number: string): Promise<{ outcome: CloseOutcome }> {
    const outcome = await this.shop.closeOrder(number)
    if (outcome === null) throw new NotFoundException()
    return { outcome }
  }
}

@Module({ controllers: [OrdersController], providers: [{ provide: SHOP, useFactory: () => openShop() }] })
export class AppModule {}
