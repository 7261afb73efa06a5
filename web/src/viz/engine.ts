// The drawing library, in a chunk of its own: pages show their frame before it has arrived.
import { BarChart, LineChart, PieChart } from 'echarts/charts';
import { GraphicComponent, GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use, type ECharts } from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';

use([BarChart, LineChart, PieChart, GridComponent, GraphicComponent, MarkLineComponent, LabelLayout, CanvasRenderer, SVGRenderer]);

export type { ECharts };
export { init };
