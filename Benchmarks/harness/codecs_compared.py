"""Pictures: the normaliser against bare library calls in C, and against Pillow and vips."""


class Codecs:
    def __init__(self, folder, tools, images, report, rounds, servers, loads):
        self.folder, self.tools, self.images, self.report, self.rounds = folder, tools, images, report, rounds
        self.servers, self.loads = servers, loads

    def compare(self):
        pass

    def wire(self):
        pass

    def memory(self):
        pass
