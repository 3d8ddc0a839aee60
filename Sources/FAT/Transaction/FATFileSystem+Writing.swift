internal import Glibc
package import Storage

extension FATFileSystem: WritableFileSystem {
    /// Begins a change. The whole volume is looked at first, once: what is not sound is not written. Throws `refused`
    /// with the word of what was found.
    package func begin() throws(StorageError) -> FATTransaction {
        let device: any WritableBlockDevice
        do throws(StorageError) {
            device = try self.device.writable()
        } catch {
            // What was opened for reading is said of the volume; other reasons are the device's to tell.
            guard error.kind == .misuse else { throw error }
            throw .fat(.misuse, .readOnlyDevice, "the volume was opened for reading only")
        }
        guard !isCommitting else {
            throw .fat(
                .misuse, .commitFailed, "an earlier change was not written whole; open the volume again")
        }
        return FATTransaction(self, device, try soundSpace(), now: options.now ?? Self.currentTime())
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

    private static func currentTime() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
