import { theShop } from '../../../lib/the-shop'

type ByNumber = { params: Promise<{ number: string }> }

export async function GET(_request: Request, { params }: ByNumber): Promise<Response> {
  const order = await theShop().findOrder((await params).number)
  return Response.json({ order }, { status: order === null ? 404 : 200 })
}
