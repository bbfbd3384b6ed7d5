// @ts-check
// Plots of days and months, drawn from the JSON that it carries. Each has the same numbers in a table beside it, so nothing is lost without this.

(() => {
  const source = document.getElementById('plots');
  if (!source || typeof uPlot === 'undefined') return;
  const english = document.documentElement.lang === 'en';
  const whole = new Intl.NumberFormat(english ? 'en' : 'ko', { maximumFractionDigits: 1 });
  const short = new Intl.NumberFormat(english ? 'en' : 'ko', { notation: 'compact', maximumFractionDigits: 1 });
  const units = {
    won: (n) => (english ? `₩${whole.format(n)}` : `${whole.format(n)}원`),
    percent: (n) => `${whole.format(n)}%`,
    count: (n) => whole.format(n),
  };
  const marks = { won: (n) => short.format(n), percent: (n) => `${whole.format(n)}%`, count: (n) => (Number.isInteger(n) ? whole.format(n) : '') };
  const drawn = [];

  /** A colour of the style sheet as a canvas understands it: only an element resolves light and dark. */
  function colour(name) {
    const probe = document.createElement('i');
    probe.className = `ink-${name}`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function draw(figure, data) {
    const box = figure.querySelector('.canvas');
    if (!box) return; // nothing to show
    const [one, two, three, line, quiet] = ['one', 'two', 'three', 'line', 'quiet'].map(colour);
    const inks = [one, two, three];
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const months = data.days[0]?.length === 7; // 2026-03
    const days = data.days.map((day) => (months ? day.slice(2) : day.slice(5)).replace('-', '/'));
    const at = data.days.map((_, place) => place);
    const highest = Math.max(...data.series.flatMap((series) => series.values));
    const axis = { font, stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const options = {
      width: Math.max(200, box.clientWidth),
      height: 210,
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: false, range: [-0.6, at.length - 0.4] }, y: { range: [0, highest > 0 ? highest * 1.1 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, space: 46, incrs: months ? [1, 2, 3, 6, 12] : [1, 2, 5, 7, 10], values: (_, places) => places.map((place) => days[place] ?? '') },
        { ...axis, size: 58, values: (_, numbers) => numbers.map(marks[data.unit]) },
      ],
      series: [
        { label: months ? (english ? 'Month' : '월') : english ? 'Day' : '날짜', value: (_, place) => (place == null ? '–' : data.days[place]) },
        ...data.series.map((series, number) => ({
          label: series.name,
          stroke: inks[number],
          width: series.shape === 'bars' ? 0 : 2,
          dash: series.shape === 'dash' ? [5, 4] : undefined,
          fill: series.shape === 'bars' ? inks[number] : undefined,
          paths: series.shape === 'bars' ? uPlot.paths.bars({ size: [0.65, 26] }) : undefined,
          points: { show: series.shape !== 'bars' && at.length < 40, size: 5, fill: inks[number] },
          value: (_, n) => (n == null ? '–' : units[data.unit](n)),
        })),
      ],
    };
    box.replaceChildren();
    const plot = new uPlot(options, [at, ...data.series.map((series) => series.values)], box);
    // Until somebody points at a day, the last one is told.
    const last = () => plot.setLegend({ idx: at.length - 1 });
    plot.over.addEventListener('mouseleave', last);
    requestAnimationFrame(last);
    drawn.push({ plot, box });
  }

  function drawAll() {
    drawn.splice(0).forEach(({ plot }) => plot.destroy());
    const all = JSON.parse(source.dataset.plots);
    document.querySelectorAll('figure[data-plot]').forEach((figure) => draw(figure, all[figure.dataset.plot]));
  }

  drawAll();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
  new ResizeObserver(() => drawn.forEach(({ plot, box }) => {
    if (box.clientWidth && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: plot.height });
  })).observe(document.getElementById('main'));
})();
