/** Changing a merchant, its apps, its keys or its channel accounts. */
import { useMutation } from '@tanstack/react-query'
import { App } from 'antd'
import { call, queries } from '../../api.ts'
import { useSays } from '../../parts.tsx'

/** Sends a change to the API, and reloads the merchant at `path`. */
export function useChange(path: string) {
  const { message } = App.useApp()
  const says = useSays()
  return useMutation({
    mutationFn: ({ method, to, body }: { method: 'POST' | 'PUT' | 'DELETE'; to: string; body: object }) =>
      call<unknown>(method, `${path}${to}`, body),
    onError: (error) => void message.error(says(error)),
    onSettled: () => queries.invalidateQueries({ queryKey: [path] }),
  })
}
