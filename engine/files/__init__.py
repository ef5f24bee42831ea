"""Foreign formats in and out: pictures, films, meshes, point clouds, volumes, plots; and how every file is written.

A file is written beside its place and renamed, so it is whole or not there. Nothing that is read can run code.
"""

from typing import TYPE_CHECKING

from ...kernels.lazy import lazy

if TYPE_CHECKING:
    from .atomic import (
        atomic_write as atomic_write,
        check_writable as check_writable,
        library_writes as library_writes,
    )
    from .clouds import PointCloud as PointCloud, read_cloud as read_cloud
    from .endings import (
        FIELD as FIELD,
        MESHES as MESHES,
        VOLUME as VOLUME,
        Solid as Solid,
        Up as Up,
        check_mesh_name as check_mesh_name,
        is_field as is_field,
        kind_of as kind_of,
    )
    from .interrupts import (
        interrupts_noted as interrupts_noted,
        termination_interrupts as termination_interrupts,
        was_terminated as was_terminated,
    )
    from .mesh_options import (
        PLAIN as PLAIN,
        MeshOptions as MeshOptions,
        Sign as Sign,
        option_words as option_words,
    )
    from .meshes import TriangleMesh as TriangleMesh, read_mesh as read_mesh
    from .pictures import read_pixels as read_pixels
    from .plots import check_plot_support as check_plot_support, new_figure as new_figure, write_figure as write_figure
    from .progress import (
        Advance as Advance,
        Move as Move,
        Start as Start,
        StartTask as StartTask,
        no_progress as no_progress,
        progress_bars as progress_bars,
    )
    from .volumes import (
        LEVEL_KEY as LEVEL_KEY,
        SOLID_KEY as SOLID_KEY,
        level_set_of as level_set_of,
        load_volume as load_volume,
    )
    from .writing import (
        check_video_support as check_video_support,
        eight_bits as eight_bits,
        png_bytes as png_bytes,
        write_image as write_image,
        write_video as write_video,
    )
else:
    __getattr__, __dir__, __all__ = lazy(__name__)
