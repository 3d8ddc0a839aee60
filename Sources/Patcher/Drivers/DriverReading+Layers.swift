internal import KernelModules
internal import Storage

/// What the root file system is stacked from.
extension DriverReading {
    /// The layers of the root, and of /usr, which an initramfs mounts too, from the disks upwards. What lies on an encrypted
    /// volume cannot be read here, so that there is no such root.
    var rootLayers: [TargetDevice] {
        var layers: [TargetDevice] = []
        func add(_ layer: TargetDevice) { if !layers.contains(layer) { layers.append(layer) } }
        for mount in guest.mounts where mount.path == "/" || mount.path == "/usr" {
            let volume = guest.volumes[mount.volume]
            for layer in volume.layers {
                switch layer {
                case .array(let level): add(.array(level: level))
                case .deviceMapper(let target): add(.deviceMapper(target))
                }
            }
            if volume.layers.isEmpty, case .logicalVolume = volume.location { add(.deviceMapper()) }
            let kind = volume.identity.kind
            if LinuxFileSystem.of(kind)?.modules.isEmpty == false { add(.fileSystem(kind.rawValue)) }
        }
        return layers
    }
}
