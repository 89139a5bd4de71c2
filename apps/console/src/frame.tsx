/** The frame around every page: the user, the menu, and the choice of language and colours. */
import type { Session, SignedOut } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { Button, Drawer, Input, Select, Spin } from 'antd'
import { Suspense, useRef, useState } from 'react'
import { began, call, queries, session, stillAtProvider } from './api.ts'
import { pagesFor } from './menu.ts'
import { SecondFactorFirst } from './pages/session/account.tsx'
import { AcceptInvitation } from './pages/session/invitation.tsx'
import { ChangePassword, SignIn } from './pages/session/sign-in.tsx'
import { Trouble } from './parts.tsx'
import { type Language, type Look, usePreferences } from './preferences.tsx'
import { ProofDialog } from './proof-dialog.tsx'

export function Frame() {
  const { data, error, isPending, refetch } = useQuery(session)
  // Who is invited has no session yet, or somebody else's.
  const isInvited = useLocation().pathname.endsWith('/invitation')
  if (isPending) return <Spin fullscreen />
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  if (isInvited)
    return (
      <Gate>
        <AcceptInvitation />
      </Gate>
    )
  if (data === null)
    return (
      <Gate>
        <SignIn />
      </Gate>
    )
  if (data.must_change_password)
    return (
      <Gate>
        <ChangePassword isForced />
      </Gate>
    )
  if (data.must_turn_totp_on)
    return (
      <Gate>
        <SecondFactorFirst who={data} />
        <ProofDialog who={data} />
      </Gate>
    )
  return (
    <>
      <Inside who={data} />
      <ProofDialog who={data} />
    </>
  )
}

function Gate({ children }: { children: React.ReactNode }) {
  return (
    <div className="frame">
      <header className="bar">
        <Brand />
        <span className="grow" />
        <Switches />
      </header>
      <main className="gate">{children}</main>
    </div>
  )
}

function Brand() {
  const { t } = usePreferences()
  return <span className="brand">{t('brand')}</span>
}

function Inside({ who }: { who: Session }) {
  const { t } = usePreferences()
  const [isOpen, setOpen] = useState(false)
  const page = useRef<HTMLElement>(null)
  const mayFind = who.permissions.includes('orders.read')
  const signOut = async (): Promise<void> => {
    const ended = await call<SignedOut>('DELETE', 'session').catch(() => null)
    began(null)
    queries.setQueryData(stillAtProvider.queryKey, ended?.provider_sign_out ?? null)
  }
  const links = pagesFor(who.permissions).map(({ to, text }) => (
    <Link key={to} to={to as never} onClick={() => setOpen(false)} activeProps={{ className: 'active' }}>
      {t(text)}
    </Link>
  ))
  return (
    <div className="frame">
      <header className="bar">
        <button type="button" className="skip" onClick={() => page.current?.focus()}>
          {t('skipToPage')}
        </button>
        <Button className="menu-button" aria-label={t('menu')} onClick={() => setOpen(true)}>
          ☰
        </Button>
        <Brand />
        <span className="grow" />
        {mayFind && <FindBox />}
        <Who who={who} />
        <Button onClick={signOut}>{t('signOut')}</Button>
      </header>
      <div className="body">
        <nav className="nav" aria-label={t('menu')}>
          {links}
        </nav>
        <Drawer open={isOpen} onClose={() => setOpen(false)} placement="left" title={t('menu')} size={260}>
          <div className="drawer">
            {mayFind && <FindBox onFind={() => setOpen(false)} />}
            <Who who={who} />
            {links}
          </div>
        </Drawer>
        <main className="page" ref={page} tabIndex={-1}>
          <Suspense fallback={<Spin />}>
            <Outlet />
          </Suspense>
          <p className="note">{t('zone')}</p>
        </main>
      </div>
    </div>
  )
}

/** One search for everything; the page that it opens says what was found. On a phone it is in the menu. */
function FindBox({ onFind }: { onFind?: () => void }) {
  const { t } = usePreferences()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  return (
    <search className="find">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onFind?.()
          if (text.trim() !== '') void navigate({ to: '/find' as never, search: { text: text.trim() } as never })
        }}
      >
        <Input
          type="search"
          aria-label={t('findAll')}
          placeholder={t('findWhat')}
          value={text}
          maxLength={64}
          onChange={({ target }) => setText(target.value)}
        />
      </form>
    </search>
  )
}

/** The user, and the choices of language and colours. On a phone they are in the menu, because the header has no room. */
function Who({ who }: { who: Session }) {
  const { word } = usePreferences()
  return (
    <div className="who">
      <Switches />
      <span className="note">
        {who.username} · {word(who.role)}
      </span>
    </div>
  )
}

function Switches() {
  const { t, language, setLanguage, look, setLook } = usePreferences()
  return (
    <>
      <Button type="text" onClick={() => setLanguage((language === 'zh' ? 'en' : 'zh') satisfies Language)}>
        {language === 'zh' ? 'English' : '中文'}
      </Button>
      <Select<Look>
        aria-label={t('look')}
        value={look}
        onChange={setLook}
        options={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: t(value) }))}
        popupMatchSelectWidth={false}
      />
    </>
  )
}
