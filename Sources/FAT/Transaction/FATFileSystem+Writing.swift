package import Storage

extension FATFileSystem: WritableFileSystem {
    /// Begins a change. The whole volume is looked at first, once: what is not sound is not written. Throws `refused`
    /// with the word of what was found.
    package func begin() throws(StorageError) -> FATTransaction {
        let device = try state.target(on: device)
        return FATTransaction(self, device, try soundSpace(), now: options.now ?? .now)
    }

    /// The free clusters of a volume that is sound enough to be written.
    private func soundSpace() throws(StorageError) -> FreeSpace {
        if let known = knownSpace { return known }
        var check = VolumeCheck(self) { _ in }
        let space = try check.run()
        if let obstacle = check.obstacle {
            throw .fat(
                .refused, FATCode(rawValue: obstacle.code) ?? .damaged,
                "the volume is not written as it is: \(obstacle.message)", structure: obstacle.structure,
                offset: obstacle.offset)
        }
        note(space)
        return space
    }
}
