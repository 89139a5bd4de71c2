import { theShop } from '../../lib/the-shop'

export async function POST(): Promise<Response> {
  return Response.json(await theShop().placeOrder(), { status: 201 })
}
