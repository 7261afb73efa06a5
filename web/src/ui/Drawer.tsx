// The kit's own, dressed by the theme.
export { Drawer } from '@mantine/core';
