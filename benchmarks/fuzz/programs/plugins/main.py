"""An image-like grid goes through plugins that are found by name."""

import sys

import host
from settings import Settings, chain

settings = Settings.from_arguments(sys.argv[1:])
grid = host.blank(settings.size)  # dds: /plugins/blank
for index, name in enumerate(settings.plugins):
    grid = host.apply(name, grid, settings)  # dds: /plugins/stage/{name}
    print(index, name, host.checksum(grid))
host.show(grid)
mirrored = host.apply("mirror", grid, settings)  # dds: /plugins/mirrored
print("mirrored", host.checksum(mirrored))
host.discover()
available = sorted(host.catalogue())  # dds: /plugins/available
print("available:", *available)
scale = chain(lambda value: value * settings.gain, abs)
scaled = [[scale(cell) for cell in row] for row in mirrored]  # dds: /plugins/scaled
print("scaled", host.checksum(scaled))
try:
    odd = host.apply("unknown", grid, settings)  # dds: /plugins/odd
except host.NoSuchPluginError as error:
    print("error:", error)
    odd = None
legend = host.legend(available)  # dds: /plugins/legend
print(legend)
