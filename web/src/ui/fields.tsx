// The kit's own inputs, dressed by the theme: 32 px high, control edge, 2 px focus ring.
export {
  Autocomplete,
  Checkbox,
  Combobox,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Radio,
  SegmentedControl,
  Select,
  Switch,
  TagsInput,
  Tabs,
  Textarea,
  TextInput,
  useCombobox,
} from '@mantine/core';
