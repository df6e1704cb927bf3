import type { FlameData } from "./data";
import { differ } from "./flame-diff";
import { buildModel, readColumns, type Columns, type FlameModel } from "./flame-model";

/** The graphs of the page by id, each unpacked and built when it is first asked for, differences too. */
export class Graphs {
  private readonly columns = new Map<number, Promise<Columns>>();
  private readonly models = new Map<string, Promise<FlameModel>>();

  constructor(private readonly frames: FlameData) {}

  knows(id: string): boolean {
    return [...this.frames.graphs, ...this.frames.pairs].some((item) => item.id === id);
  }

  isDifference(id: string): boolean {
    return this.frames.pairs.some((item) => item.id === id);
  }

  /** The unit of what a graph counts; both sides of a difference count the same. */
  unit(id: string): string {
    const pair = this.frames.pairs.find((item) => item.id === id);
    const graph = pair ? this.frames.graphs[pair.baseline] : this.frames.graphs.find((item) => item.id === id);
    return graph?.unit ?? "1";
  }

  load(id: string): Promise<FlameModel> {
    const known = this.models.get(id);
    const found = known ?? this.build(id);
    if (!known) this.models.set(id, found);
    return found;
  }

  private async build(id: string): Promise<FlameModel> {
    const pair = this.frames.pairs.find((item) => item.id === id);
    if (!pair) return buildModel(await this.unpacked(this.frames.graphs.findIndex((graph) => graph.id === id)));
    const [baseline, contender] = await Promise.all([this.unpacked(pair.baseline), this.unpacked(pair.contender)]);
    return differ(baseline, contender, this.frames.names.length);
  }

  private unpacked(place: number): Promise<Columns> {
    const known = this.columns.get(place);
    const found = known ?? readColumns(this.frames.graphs[place] as FlameData["graphs"][number]);
    if (!known) this.columns.set(place, found);
    return found;
  }
}
