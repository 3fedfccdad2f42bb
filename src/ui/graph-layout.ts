/**
 * The picture of a version's graph: every step at its place, every edge as a path. It depends on the definition alone,
 * so that it is laid out once and never moves while a run changes its colours.
 */
import { graphlib, layout } from '@dagrejs/dagre';
import type { PipelineDefinition } from '../pipeline/definition.ts';

export interface Graph {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphNode {
  readonly step: string;
  /** Of the upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** The `d` of an SVG path. */
  readonly path: string;
}

/** What of a definition decides the picture: little, so that it travels to a thread. */
export interface GraphSource {
  readonly steps: readonly { readonly name: string; readonly upstream: readonly string[] }[];
}

const nodeSize = { height: 46, widthMin: 150, widthMax: 240, characterWidth: 7.4, padding: 54 } as const;

export function graphSource(definition: PipelineDefinition): GraphSource {
  return { steps: definition.steps.map(({ name, upstream }) => ({ name, upstream })) };
}

export function layOut(source: GraphSource): Graph {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 46, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of source.steps) graph.setNode(name, { width: nodeWidth(name), height: nodeSize.height });
  for (const { name, upstream } of source.steps) {
    for (const from of upstream) graph.setEdge(from, name);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: source.steps.map(({ name }) => {
      const node = graph.node(name);
      return {
        step: name,
        x: round(node.x - node.width / 2),
        y: round(node.y - node.height / 2),
        width: node.width,
        height: node.height,
      };
    }),
    edges: graph.edges().map((edge: { readonly v: string; readonly w: string }) => ({
      from: edge.v,
      to: edge.w,
      path: curve(graph.edge(edge).points ?? []),
    })),
  };
}

function nodeWidth(name: string): number {
  const wanted = nodeSize.padding + name.length * nodeSize.characterWidth;
  return Math.round(Math.min(nodeSize.widthMax, Math.max(nodeSize.widthMin, wanted)));
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Leaves and arrives level, and bends between the points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${round(first.x)} ${round(first.y)}`;
  let from = first;
  for (const to of rest) {
    const middle = round((from.x + to.x) / 2);
    path += `C${middle} ${round(from.y)} ${middle} ${round(to.y)} ${round(to.x)} ${round(to.y)}`;
    from = to;
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
