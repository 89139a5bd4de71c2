import { rawBody } from '../../../lib/raw-body'
import { theShop } from '../../../lib/the-shop'

export async function POST(request: Request): Promise<Response> {
  const { status, headers, body } = await theShop().hear(await rawBody(request))
  return new Response(body, { status, headers })
}
