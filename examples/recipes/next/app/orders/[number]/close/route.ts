import { theShop } from '../../../../lib/the-shop'

type ByNumber = { params: Promise<{ number: string }> }

export async function POST(_request: Request, { params }: ByNumber): Promise<Response> {
  const outcome = await theShop().closeOrder((await params).number)
  return Response.json({ outcome }, { status: outcome === null ? 404 : 200 })
}
