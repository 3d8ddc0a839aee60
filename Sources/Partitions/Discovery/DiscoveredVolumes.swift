package import Storage

/// What is on a guest's disks.
package struct DiscoveredVolumes: Sendable {
    /// The disks in the order given.
    package var disks: [DiskLayout]
    /// Every volume: partitions in disk and number order, whole disks without a table, then arrays and logical
    /// volumes. Members of groups and arrays are among them.
    package var volumes: [Volume]
    /// The volume groups.
    package var groups: [GroupLayout] = []
    /// The MD arrays.
    package var arrays: [ArrayLayout] = []
    /// Everything worth telling, the tables' findings included.
    package var findings: [Finding] = []

    /// What the volumes of these names are stacked from, together.
    func layers(of names: [String]) -> [Volume.Layer] {
        var found: [Volume.Layer] = []
        for volume in volumes where names.contains(volume.name) {
            for layer in volume.layers where !found.contains(layer) { found.append(layer) }
        }
        return found
    }

    /// What is said of the arrays below these, each once: of those that lack members, or that are divided.
    func arrays(below names: [String], _ words: KeyPath<Volume, [String]>) -> [String] {
        var found: [String] = []
        for volume in volumes where names.contains(volume.name) {
            for array in volume[keyPath: words] where !found.contains(array) { found.append(array) }
        }
        return found
    }

    /// Why one of these is not made of what was given.
    func lacking(among names: [String]) -> String? {
        volumes.lazy.filter { names.contains($0.name) }.compactMap(\.lacking).first
    }

    /// The volume of this name.
    package func volume(named name: String) -> Volume? { volumes.first { $0.name == name } }
}

/// How one disk is divided.
package struct DiskLayout: Sendable {
    /// 0 for the first disk given.
    package var index: Int
    /// The disk's size in bytes.
    package var byteCount: UInt64
    /// Its partition table; kind `none` where it has none.
    package var table: PartitionTable
    /// What the disk as a whole could be taken for. Beside a table these are leftovers or a whole-disk array.
    package var contents: [VolumeIdentity]
}
