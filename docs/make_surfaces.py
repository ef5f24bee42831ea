"""The figures of docs/3-surfaces.md: `python docs/make_surfaces.py [NAME...]`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import torch
import trimesh

mpl.use("Agg")
import matplotlib.pyplot as plt
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

import isofield as iso
from isofield.engine.shapes import MeshFile
from isofield.kernels.surfaces.triangle_tables import EDGES

PICTURES = Path(__file__).parent / "pictures"


def cells() -> plt.Figure:
    """One cell: a corner cut off, a loop over four edges, and a face that can be joined in two ways."""
    figure = plt.figure(figsize=(9, 3.2), layout="constrained")
    patterns = {
        "one corner inside": {0: -1.0},
        "an edge inside": {0: -1.0, 1: -1.0},
        "saddle outside: apart": {0: -0.4, 3: -0.4},
        "saddle inside: joined": {0: -2.5, 3: -2.5},
    }
    for place, (title, inside) in enumerate(patterns.items()):
        axes = figure.add_subplot(1, 4, 1 + place, projection="3d")
        values = torch.ones(2, 2, 2)
        for corner, value in inside.items():
            values[corner & 1, corner >> 1 & 1, corner >> 2] = value
        vertices, faces = iso.kernels.marching_cubes(values, bounds=((0, 0, 0), (1, 1, 1)))
        triangles = vertices[faces.long()].numpy()
        axes.add_collection3d(Poly3DCollection(triangles, facecolor="#d2542d", edgecolor="#40180c", alpha=0.85))
        for a, b in EDGES:
            ends = [[corner >> axis & 1 for corner in (a, b)] for axis in range(3)]
            axes.plot(*ends, color="#999999", linewidth=0.8)
        for corner in range(8):
            at = [corner & 1, corner >> 1 & 1, corner >> 2]
            axes.scatter(*at, s=28, color="#202020" if corner in inside else "white", edgecolor="#202020")
        axes.set_title(title, fontsize=9)
        axes.view_init(elev=24, azim=-62)
        axes.set_axis_off()
        axes.set_box_aspect((1, 1, 1), zoom=1.15)
    return figure


def triangles() -> plt.Figure:
    """The carved box in ever more triangles, lit by their own normals."""
    figure = plt.figure(figsize=(9, 3.2), layout="constrained")
    light = torch.nn.functional.normalize(torch.tensor([0.35, -0.65, 0.7]), dim=0)
    for place, resolution in enumerate((12, 24, 96)):
        mesh = iso.mesh(iso.load("carved_box"), resolution=resolution)
        corners = mesh.vertices[mesh.faces.long()]
        normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        shade = 0.3 + 0.7 * (torch.nn.functional.normalize(normals, dim=1) @ light).clamp(min=0)
        colours = (shade[:, None] * torch.tensor([0.89, 0.42, 0.26])).clamp(max=1).numpy()
        axes = figure.add_subplot(1, 3, 1 + place, projection="3d")
        line = {"edgecolors": "#40180c", "linewidths": 0.3} if resolution < 96 else {"edgecolors": colours}
        axes.add_collection3d(Poly3DCollection(corners.numpy(), facecolors=colours, **line))
        axes.set(xlim=(-0.75, 0.75), ylim=(-0.75, 0.75), zlim=(-0.75, 0.75))
        axes.set_title(f"{resolution} cells a side: {len(mesh.faces)} triangles", fontsize=9)
        axes.view_init(elev=24, azim=-60)
        axes.set_axis_off()
        axes.set_box_aspect((1, 1, 1), zoom=1.2)
    return figure


def opened() -> plt.Figure:
    """A ball without its cap: closed by a lid, and as a shell."""
    bowl = trimesh.creation.uv_sphere(radius=1.0, count=[64, 128])
    bowl.update_faces((bowl.vertices[bowl.faces][:, :, 2] < 0.7).all(axis=1))
    camera = iso.Camera(eye=(2.5, -2.5, 2.2), target=(0.0, 0.0, 0.0), fov=35.0)
    figure, places = plt.subplots(1, 2, figsize=(8.0, 4.0), layout="constrained")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bowl.ply"
        bowl.export(path)
        for place, sign in zip(places, ("winding", "none"), strict=True):
            shape = MeshFile(file=path, sign=sign)
            place.imshow(iso.render(iso.Scene(shape), camera=camera, width=400, height=400))
            place.set_title(f'sign = "{sign}"')
            place.axis("off")
    return figure


FIGURES: dict[str, Callable[[], plt.Figure]] = {"cells": cells, "open": opened, "triangles": triangles}


def main() -> None:
    """Draw the figures that are named, or all."""
    for name in sys.argv[1:] or FIGURES:
        figure = FIGURES[name]()
        path = PICTURES / f"surfaces_{name}.png"
        figure.savefig(path, dpi=110, metadata={"Software": None})
        print(path)


if __name__ == "__main__":
    main()
