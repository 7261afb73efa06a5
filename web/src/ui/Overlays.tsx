import { Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, type LinkProps } from './Button';

// Menu, Popover, Tooltip and HoverCard are the kit's own, dressed by the theme. Dialogs and the drawer stand in modules of
// their own: no page opens with one, so none of them is fetched with the first page.
export { HoverCard, Menu, Popover, Tooltip } from '@mantine/core';

/** A menu entry that is a link. */
export function MenuLink({ href, icon, children }: { href: string; icon?: ReactNode; children: ReactNode }) {
  return (
    <Menu.Item leftSection={icon} renderRoot={(props) => <Link {...(props as unknown as LinkProps)} href={href} />}>
      {children}
    </Menu.Item>
  );
}
